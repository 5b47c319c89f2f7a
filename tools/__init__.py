"""What start.py does once it runs inside .venv."""
