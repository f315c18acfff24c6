"""Python that runs plugins, started by the daemon and by supervisorctl: `python3 -m supervisor.plugin_host PART`."""
