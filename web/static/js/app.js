// The entry of every page: wires behaviour by data attributes.
