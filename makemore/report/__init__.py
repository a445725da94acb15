"""What a training was like, as one page: pictures by matplotlib, names, and a table."""
