"""One module per kind of original; each turns an opened archive into rows."""
