"""The ministry in numbers: how much comes, how old it grows, whether promises are kept, what visitors thought of it."""
