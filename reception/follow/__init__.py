"""The visitor's own page: who may read there what is asked and answered, and how often one may try."""
