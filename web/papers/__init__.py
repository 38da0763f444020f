"""Pages of a case's papers as pictures, to be read beside the form without leaving the desk."""
