"""What makes the painted world: networks, dissections, planted units, descriptions, the demo."""
