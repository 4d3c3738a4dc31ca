"""Models on disk and in memory: configuration, versions, loading, batching."""
