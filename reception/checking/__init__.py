"""The verifiers' bench: who has which case in hand, and by when it must be looked at."""
