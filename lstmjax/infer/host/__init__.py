"""Networks run on the host, eight lines at a time, in compiled loops."""
