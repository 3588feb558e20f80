"""What a company hands over, how it is read and checked, and the facts that come out."""
