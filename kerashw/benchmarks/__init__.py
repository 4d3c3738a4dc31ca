"""What this package's speed is measured against, and how."""
