"""
The supervisor of one lab host: it starts `dovecot -F` and answers on a unix socket.

It stands in for systemd on machines where nobody may use systemd, and is the smallest thing a service control needs:
it knows a service that **failed** from one that was **stopped on purpose**, tells at once when the master exits,
recognises a hung one, and ends the sessions an ended master leaves behind (field notes §E).

Protocol
--------
A client connects to the unix stream socket and sends one JSON object per line; each is answered by one JSON object on
one line, in order. Unknown members are ignored, on both sides.

======================  =============================================================================================
request                 what it does
======================  =============================================================================================
``{"verb": "status"}``  looks at the service now
``{"verb": "start"}``   starts it; a running one is left alone. Sessions left by a former master are ended first.
                        Answers when the service listens
``{"verb": "stop"}``    SIGTERM to the master and to the sessions it would leave behind, SIGKILL after 3 s
``{"verb": "restart"}``  stop, then start; refused where the configuration on disk is invalid
``{"verb": "reload"}``  checks the configuration, then SIGHUP. Sessions stay
``{"verb": "watch"}``   answers with the status at once and again whenever it changes (running, failed, stopped), until
                        the client closes; no further request is read on this connection
``{"verb": "check"}``   ``{"ok": true, "valid": false, "because": "…"}``: whether the configuration on disk is valid.
                        Touches nothing, also while the service runs
``{"verb": "boot-id"}``  ``{"ok": true, "boot_id": "…", "boots": 1}``: another id after each boot of the host
``{"verb": "restart-host"}``  answers, and then the host is gone: every process gets SIGKILL, connections are ended and
                        refused. After `down_seconds` of supervisor.json (3 s unless it says otherwise) it boots and
                        starts the service, also one that was stopped before
======================  =============================================================================================

Only for laboratories:

==========================================  =========================================================================
``{"verb": "drop", "sources": [...]}``      from now on packets from these IPv4 addresses never arrive (``"*"``: from
                                            any); an empty list lets all through. It outlives restarts
``{"verb": "freeze", "titles": [...]}``     processes whose command line contains one of these stay stopped, also new
                                            ones; an empty list lets all go on. With ``"until_boot": true`` a
                                            restart of the host does so too
``{"verb": "flap", "after_seconds": 5}``    crashes the service now and again 5 s after each start; without seconds
                                            no more
``{"verb": "kill"}``                        SIGKILL to the whole tree, as a crash would
``{"verb": "hang"}``                        SIGSTOP to the whole tree
``{"verb": "resume"}``                      SIGCONT to the whole tree
``{"verb": "shutdown"}``                    SIGKILL to the whole tree; the supervisor itself ends, and its socket goes
==========================================  =========================================================================

Every answer has ``ok``. A refusal is ``{"ok": false, "error": "a sentence"}``; everything else is a status::

    {"ok": true, "state": "running", "because": "dovecot runs as process 4711", "pid": 4711, "since": 1795480929.71,
     "in_kernel": false, "starts": 1, "leftovers": 0, "stuck": [], "supervisor": 4700}

state       running, failed, stopped, hung, starting or stopping. An exit with status 0 that nobody asked this
            supervisor for is *stopped* as well: somebody asked the service itself (`doveadm stop`)
since       when that state began, seconds since the epoch; for starting, running and hung: when the master started
in_kernel   a process waits in the kernel (D state): a restart would not help
starts      how often the service was started
leftovers   processes that outlived their master
supervisor  the supervisor's own process id; everything it supervises descends from it
stuck       ``[pid, name, state letter]`` of the service's processes that do not run (T, t or D)
"""
