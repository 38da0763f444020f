"""The dossier: everything the official should know before the call, and the receipt that it was opened."""
