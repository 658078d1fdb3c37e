"""The report of statistics: sizes of datasets, published beside those of the collections here."""
