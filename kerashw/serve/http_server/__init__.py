"""The HTTP server: connections with limits, and the ASGI application."""
