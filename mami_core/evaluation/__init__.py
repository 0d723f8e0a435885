"""Does a caption say what the neuron does? Text metrics, truth metrics, floors, intervals."""
