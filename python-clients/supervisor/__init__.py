"""The module `supervisor` for listeners, scripts and plugins. The daemon and its tools are executables, not Python."""
