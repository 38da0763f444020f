"""Papers that visitors bring: checked, made harmless, sealed on disk, read only by those who may see the case."""
