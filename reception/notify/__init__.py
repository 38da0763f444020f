"""Texts to visitors, event by event, each in the visitor's language. The words are in messaging/templates.py."""
