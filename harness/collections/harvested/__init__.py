"""Collections of real text built in beside ``pydocs``: other texts of installed, pinned packages."""
