"""The Streamlit application: loads, chooses, draws. It computes nothing."""
