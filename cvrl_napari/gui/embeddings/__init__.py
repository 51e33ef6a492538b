"""The dock "CVRL embeddings": what the network tells apart, and the way from there back to painting."""
