"""What middleware does in the pipeline: it stands around creations, and knows what jobs carry."""
