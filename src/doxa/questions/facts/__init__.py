"""Facts that banks share: what packages know of the world, seeded choices, and how a question is made of them."""
