"""``readline``: there is nobody who types; settings are accepted and mean nothing."""


def _ignored(*args):
    return None


parse_and_bind = read_init_file = set_completer = get_completer = _ignored
set_completer_delims = set_completion_display_matches_hook = add_history = _ignored
clear_history = read_history_file = write_history_file = append_history_file = _ignored
set_history_length = set_startup_hook = set_pre_input_hook = insert_text = _ignored
redisplay = set_auto_history = remove_history_item = replace_history_item = _ignored
get_history_item = _ignored
backend = "readline"


def get_line_buffer():
    return ""


def get_completer_delims():
    return " \t\n`~!@#$%^&*()-=+[{]}\\|;:'\",<>/?"


def get_history_length():
    return -1


def get_current_history_length():
    return 0
