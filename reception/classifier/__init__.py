"""A suggestion of a petition's type, learnt from past ones. The clerk decides, and how often they agree is measured."""
