"""The report of statistics: sizes of datasets, published and of the collections in use."""
