"""What the message pane shows, worked out without a screen: entries, their layout, their colours, search and copying.

Nothing here reads a clock, a socket or a widget. `tui.widgets.message_pane` is the shell that draws it.
"""
