"""The same training with other libraries, each in a process of its own."""
