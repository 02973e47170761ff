def parse_query(text: str) -> object:
    return text
