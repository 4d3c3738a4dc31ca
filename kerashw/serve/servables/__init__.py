"""Models on disk and in memory: configuration files, versions, loading, calls, batching."""
