"""What Linux itself shows of a service on this machine: processes, pid files, exits told by pidfd."""
