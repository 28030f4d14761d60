"""What those who operate flows read and write, without the code of any flow."""
