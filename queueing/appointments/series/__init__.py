"""Sessions that recur: an official's weekly audience or video sessions, with exceptions, offered some weeks ahead."""
