"""The demo page: its static files, and the module that serves them."""
