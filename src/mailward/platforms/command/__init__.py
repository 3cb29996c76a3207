"""Any service and any machine that programs of the administrator's control."""
