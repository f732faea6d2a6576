"""Page and line images with box, PAGE, ALTO or plain texts -> line crops -> lstmf documents."""
