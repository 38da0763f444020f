"""How many texts the chain carries, and how soon a one-time code is out while a campaign drains."""
