"""Where gateways tell us of receipts and of texts that were sent to us."""
