"""The hall's voice: a call as sound, put together from its number and its counter."""
