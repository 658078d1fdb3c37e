"""Collections as others publish them: a reader for each layout, and one place where they are checked."""
