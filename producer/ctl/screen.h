/*
 * Text for a terminal: colours where they are wanted, and nothing in foreign text that could steer
 * the terminal.
 */
#ifndef CTL_SCREEN_H
#define CTL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef enum ScreenColour {
    SCREEN_PLAIN,
    SCREEN_DIM,
    SCREEN_RED,
    SCREEN_GREEN,
    SCREEN_YELLOW,
} ScreenColour;

typedef struct Screen {
    FILE *file;
    bool colours;
} Screen;

// stdout; colours only on a terminal, and not where NO_COLOR is set (https://no-color.org/).
Screen screen_stdout(void);

// Control characters become '?'; padded with spaces to `width` columns, never cut.
void screen_print(const Screen *screen, ScreenColour colour, const char *text, size_t width);
// Columns of a UTF-8 text, each character counted as one.
size_t screen_width(const char *text);

#endif
