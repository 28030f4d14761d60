"""What is told of jobs to who watches, and the tokens by which they may."""
