#include "ctl/screen.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const CODES[] = {
    [SCREEN_PLAIN] = "",         [SCREEN_DIM] = "\033[2m",     [SCREEN_RED] = "\033[31m",
    [SCREEN_GREEN] = "\033[32m", [SCREEN_YELLOW] = "\033[33m",
};

Screen screen_stdout(void)
{
    const char *terminal = getenv("TERM");
    const char *no_colour = getenv("NO_COLOR");
    bool dumb = terminal == NULL || strcmp(terminal, "dumb") == 0;
    bool refused = no_colour != NULL && no_colour[0] != '\0';
    return (Screen){
        .file = stdout,
        .colours = isatty(STDOUT_FILENO) == 1 && !dumb && !refused,
    };
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

size_t screen_width(const char *text)
{
    size_t width = 0;
    for (const char *c = text; *c != '\0'; c++) {
        width += is_continuation(*c) ? 0 : 1;
    }
    return width;
}

// C0, DEL, and C1 in its UTF-8 form (0xc2 0x80 to 0xc2 0x9f).
static void print_safely(FILE *file, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        unsigned char byte = (unsigned char)*c;
        unsigned char next = (unsigned char)c[1];
        if (byte == 0xc2 && next >= 0x80 && next <= 0x9f) {
            (void)fputc('?', file);
            c++;
        } else {
            (void)fputc(byte < 0x20 || byte == 0x7f ? '?' : byte, file);
        }
    }
}

void screen_print(const Screen *screen, ScreenColour colour, const char *text, size_t width)
{
    bool coloured = screen->colours && colour != SCREEN_PLAIN;
    if (coloured) {
        (void)fputs(CODES[colour], screen->file);
    }
    print_safely(screen->file, text);
    if (coloured) {
        (void)fputs("\033[0m", screen->file);
    }
    for (size_t column = screen_width(text); column < width; column++) {
        (void)fputc(' ', screen->file);
    }
}
