"""Visits: that a ticket, a petition, an appointment and a meeting are one person's coming. Only reception knows."""
