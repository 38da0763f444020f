"""Whether the matter at the counter is an open petition already: looked at before it is entered a second time."""
