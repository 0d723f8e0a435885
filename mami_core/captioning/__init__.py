"""Say in words what a unit fires for: encoder, attention, decoder, language model, search."""
