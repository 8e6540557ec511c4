"""Two-stage problems by cuts (L-shaped method), and linear programs that come apart."""
