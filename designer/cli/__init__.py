"""The `netdraft` command: the whole product without a window, and the way to the window."""
