"""The HTTP server of the reference. Its modules are here by name; nothing of them is offered."""
