"""Where variants and faults take hold from outside, and what they may know."""
