return await Lintel.Cli.CommandLine.RunAsync(args);
